"""A recipe in, one `tf.Graph` out; and the session that runs it.

    recipes        every recipe's hyperparameters: the table behind --model
    recipe         what a recipe is, and which values are valid
    ranges         the values that --tune tries
    settings       hyperparameters from JSON and from the command line
    networks       the tutorials' networks, from images to logits
    strip_network  the network for strips, rows of digits
    ctc            its loss and how its columns are read as digits
    network        how a network is registered and what it is built from
    layers         weight_variable, conv2d, max_pool_2x2, dropout, ...
    recipe_layers  these layers with a recipe's settings
    numpy_layers   the same layers of a trained network, without TensorFlow
    outline        a network's shapes and parameter counts, without TensorFlow
    inputs         the placeholders for images and for strips
    build          inference, loss, training, evaluation: the whole graph
    multistep      several training steps per session call (faster, same bits)
    share          one process's share of every batch, when several train together
    collectives    what they send each other: sums and gathered rows
    fused          convolution, ReLU and pooling as one operation (faster in bfloat16)
    schedules      learning rate schedules
    devices        the names of the devices
    sessions       the device, the precision and the session

Open `build` first.
"""
