"""A recipe and data in, a finished run directory out.

    train          train() and resume(): compose the hooks and start the loop
    start          the weights of a finished run instead of random ones
    loop           the training loop; knows hooks only as an interface
    hooks          that interface
    intervals      how often to evaluate and to save, by default
    saving         hooks that save: history.csv, checkpoints
    panel_data     hook that saves what the panels show
    snapshots      hook that keeps what the network was at a few iterations
    tensorboard    hook that writes TensorBoard's event files
    team           the interface to other processes that train the same network
    pace           how many steps to take per session call

Open `train` first, then `loop`.
"""
