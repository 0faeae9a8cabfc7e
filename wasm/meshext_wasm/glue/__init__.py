"""What is written for a build: one module that seats its filters and reads their configurations.

It is text in the language that is compiled, checked like everything else: what a class is like is looked up
here, under CPython, and nothing of it is looked up when the module runs.
"""
