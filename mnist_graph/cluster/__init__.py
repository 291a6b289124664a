"""Data-parallel training: one network, trained by several processes on one or many machines.

    environment what Kubernetes, Slurm and Vertex AI say of this task -> TF_CONFIG
    slurm       Slurm's lists of nodes and tasks
    names       waits until the names of all tasks have addresses
    tf_config   TF_CONFIG -> the tasks of the cluster, and which of them this process is
    join        the tasks meet: the same recipe, data and versions everywhere, or none starts
    channel     messages between the first task and each other one
    control     the thread that reads them, and notices tasks that die or hang
    lead        what the first task does besides training: see training/team.py
    follow      how the others train along
    reach       which tasks cannot be reached, when a step does not end
    server      TensorFlow's server, and the session in it
    listening   which addresses a port answers on
    variables   giving all tasks the same variables, and comparing them
    launch      --workers: all tasks on this machine
    scaling     --scale-batch: a recipe for a larger batch

Each task takes its share of every batch (graph/share.py), and TensorFlow's collectives add up the
gradients. Nothing outside this room knows it, except the command line. Open `follow` first, then
`lead`.
"""
