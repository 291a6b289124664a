"""Trained networks behind an address: a page to draw on, and a prediction service.

Runs go in; a web server comes out. This room can be taken out again: only the command line uses it.

    server      listens, prints nothing, stops gracefully
    app         the routes, and what they answer
    answers     errors as answers; requests counted and timed
    networks    the networks that are served, opened when first used
    pictures    a drawing or a photo: what every network reads in it, and what it sees
    trainings   trainings that the page starts, stops and resumes, one at a time
    training_routes  their routes, and that of the slider
    child       such a training in a process of its own
    progress    what its run directory shows of it
    streams     server-sent events
    snapshots   a digit, read by a network as it was at each snapshot
    rest        the REST interface of TensorFlow Serving
    batching    requests that arrive together, run together
    guard       who may ask: Host, Origin, token, headers
    bodies      bodies of requests, within limits
    metrics     what /metrics counts
    page/       the page: HTML, CSS and JavaScript modules, without a build step

Open `app` first.
"""
