"""A canary in steps of weight: forward by itself while its metrics hold, back at once when they worsen.

Pure: `course` (steps and bounds), `judging` (two readings to a verdict), `pilot` (what to do next),
`shifting` (a VirtualService with another weight). At the rim:
`prometheus` (readings), `running` (the loop over both).
"""
