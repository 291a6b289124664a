"""Run directories: what training saves, and how it is found and used again.

    run             a run directory: recipe, checkpoints, logs, result
    find            create, load, list and find runs
    checkpoints     checkpoints that survive a power cut
    csv_log         history.csv, test.csv, percentiles.csv
    digit_samples   batch.npz, test.npz: digits and their predictions
    predictor       a finished run's network with its weights: images -> probabilities
    metrics         confusion matrix, precision, recall, calibration
    files           whole-file writes, careful reads

Open `run` first; `predictor` is the only module here that imports TensorFlow.
"""
