"""A trained network for other runtimes: SavedModel, LiteRT and ONNX, each proved equal.

A finished run goes in; a folder that TensorFlow Serving, LiteRT and ONNX Runtime can load comes
out, with a README that says how. This room can be taken out again: only the command line uses it.

    exporter       export: writes, checks, publishes
    saved_model    the graph for predicting alone
    to_litert      the conversion to LiteRT, in a process of its own
    child          processes of their own
    runtimes       exported networks as their own runtimes run them
    check          compares them with the session
    readme         the README beside them
    formats        the formats, their files, and what they need
    arrays         arrays in files, which processes pass

Open `exporter` first.
"""
