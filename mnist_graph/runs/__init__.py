"""Run directories: what training saves, and how it is found and used again.

    run             a run directory: recipe, checkpoints, logs, result
    find            create, load, list and find runs
    checkpoints     checkpoints that survive a power cut
    csv_log         history.csv, test.csv, percentiles.csv
    digit_samples   batch.npz, test.npz: digits and their predictions
    predictor       a finished run's network with its weights: images -> probabilities
    strip_predictor the same for strips: the probabilities of each column
    shipped         a trained network in a few files, as in shipped/
    strip_metrics   digits read in strips, aligned with those that stand there
    metrics         confusion matrix, precision, recall, calibration
    files           whole-file writes, careful reads

Open `run` first; only `predictor` and `strip_predictor` import TensorFlow.
"""
