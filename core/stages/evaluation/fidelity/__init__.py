"""Persona fidelity: is it her? Held-out scenes are put to a model, and its replies are held beside her real ones.

Every measure that can be is a share of replies (or of questions) that are as they should be, kept one by one with its
verdict, so that a score has bounds, two models are compared reply by reply, and anybody can look why. Beside a model's
column stand two others: her real lines of the same held-out chapters, and other people's. `docs/decisions/0026` says
what was tried and what the figures are on the real novel.
"""
