"""Training on many machines, measured on one: network namespaces as hosts, and a model.

__main__    python -m benchmarks.cluster
hosts       hosts, their links, bandwidths and delays
relay       delays what passes between two hosts
link        how fast a link is for plain TCP
worker      one task of a measurement
measure     what is measured
model       how long a step takes, from measured constants
tasks       the tasks of a run of main.py
faults      workers that are killed or stopped, links that are cut
report      the report and the picture
"""
