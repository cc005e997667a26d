"""Experience of a policy: sampled answers with their rewards, and what is computed of them before an update.

Objectives whose examples are prompts share this package. It knows no objective by name, no process and no storage.
"""
