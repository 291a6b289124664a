"""Trainings that the page starts, stops, resumes and follows, and the slider over their snapshots.

    routes      what is asked and answered
    trainings   one training at a time
    child       such a training in a process of its own
    progress    what its run directory shows of it
    streams     server-sent events
    snapshots   a digit, read by a network as it was at each snapshot

Open `trainings` first.
"""
