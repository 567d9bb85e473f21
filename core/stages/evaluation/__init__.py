"""Is she any good? Scores from OpenCompass, kept as scorecards and laid out for charts.

`summary` reads OpenCompass's summary files, `scorecards.import_summary` keeps one, `tables` lays its numbers out by
C-Eval's groups and subjects (`subjects`). Launching OpenCompass from here comes with a later issue.
"""
