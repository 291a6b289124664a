"""Data-parallel training in several processes, on one machine or many. The environment variables
that a cluster sets go in.

    environment   what Kubernetes, Slurm and Vertex AI say of this task, as TF_CONFIG
    slurm         Slurm's lists of nodes and tasks
    names         waits until the names of all tasks are known

Open `environment` first.
"""
