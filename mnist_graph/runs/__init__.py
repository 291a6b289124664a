"""Run directories: what training saves, and how it is found and used again.

    run             a run directory: recipe, checkpoints, logs, result
    find            create, load, list and find runs
    start           the finished run that another one starts from
    checkpoints     checkpoints that survive a power cut
    csv_log         history.csv, test.csv, percentiles.csv
    snapshots       the weights at a few iterations, with --snapshots
    digit_samples   batch.npz, test.npz: digits and their predictions
    image_network   a trained network: images -> probabilities, whatever computes it
    strip_network   the same for strips: the probabilities of each column
    predictor       an image_network in a TensorFlow session, with the weights of a finished run
    strip_predictor the same for strips
    litert          both in LiteRT; litert_model has what an export leaves for it
    numpy_network   both in NumPy; weights has what a run leaves for it
    batches         how many examples such a network gets at a time
    shipped         trained networks in a few files, in shipped/; ship writes them
    strip_metrics   digits read in strips, aligned with those that stand there
    metrics         confusion matrix, precision, recall, calibration
    arrays          .npz files, read carefully
    children        what processes that run parts of this package are started with
    locks           folders that one process at a time works in
    files           whole-file writes, careful reads

Open `run` first; only `predictor`, `strip_predictor` and `ship` import TensorFlow.
"""
