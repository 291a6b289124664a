"""Trained networks behind an address: a page to draw on, and a prediction service.

Runs go in; a web server comes out. This room can be taken out again: only the command line uses it.

    server              listens, prints nothing, stops gracefully
    app                 the routes, and what they answer
    answers             errors as answers; requests counted and timed
    networks            the networks that are served, opened when first used
    pictures            a drawing or a photo: what every network reads in it, and what it sees
    inside              what a network's layers make of a digit, and which pixels speak for it
    corrections         digits that were misread: pictures in folders by class
    correction_routes   saving, listing, deleting and downloading them
    learning/           trainings that the page starts and follows, and the slider
    rest                the REST interface of TensorFlow Serving
    waiting             how many requests may wait, in all and from one client
    batching            requests that arrive together, run together
    guard               who may ask: Host, Origin, token, headers
    bodies              bodies of requests, within limits
    metrics             what /metrics counts
    page/               the page: HTML, CSS and JavaScript modules, without a build step

Open `app` first.
"""
