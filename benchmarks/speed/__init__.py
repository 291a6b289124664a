"""Races of speed: training steps, the time to 99 %, and predictions; and the machine's limits.

    races      what is raced: the contenders and what each is asked to do
    run        the rounds: who starts, idle machine, a process each, resumable
    child      one measurement, in a process of its own
    ratios     ours against the fastest of the others, with an interval
    limits     matrix products, convolutions, memory and session calls alone
    operations those matrix products and convolutions, in TensorFlow and in PyTorch
    report     speed.md

Open `races` first.
"""
