"""What run.py does: the environment, the locks, the gates.

Standard library only, because it runs before anything is installed. Nothing
of the project imports it.
"""
