"""The roads of a question over documents: which one it takes, and the way there.

``registry`` lists the entries of the roads, ``dispatch`` takes one. A road is a generator ``(conversation, recipe,
context)`` of events that returns a ``Grounding``; None means that it has nothing to go on, and the question goes the
way of one place.
"""
