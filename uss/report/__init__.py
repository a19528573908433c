"""The plan and what came of it, for people and for other programs: lines, data, Markdown, a pull request's comment.

A plan or its document enters; text or data without any value leaves. Nothing in here imports the engine or a cloud's
resources, and nothing decides.
"""
