"""The words of the settings page."""

from __future__ import annotations

# page
SECTION_GENERAL, SECTION_MODEL, SECTION_DOCUMENTS, SECTION_EXAM = "General", "Model", "Documents", "Exam of models"
SECTION_NETWORK = "Network"
ABOUT = "About"
VERSION = "Version"
DATA_FOLDER = "Data folder"
PROCESSOR = "Processor"
MEMORY = "Memory"
GRAPHICS = "GPU"
FREE_DISK = "Free disk"
OPEN_FOLDER = "Open folder"
DATA_FOLDER_HELP = "All data is in this folder. Copy it for a backup, or move it to another machine."
CORES = "{processor}, {cores} cores"
FREE_MEMORY = "{bytes}, {bytes2} free"
NO_GRAPHICS = "none that models can use"
CANNOT_OPEN_FOLDER = "This system has no program to open folders. The data folder is {folder}."
FIRST_MODEL = "The first one added"

# the local API
SECTION_SERVER = "Local API"
COPY_ADDRESS, COPY_KEY, RENEW_KEY = "Copy address", "Copy key", "New key"
RENEW_KEY_HELP = "The old key stops working."
API_SERVED = "Served at {address}. {answered:,} requests answered, {refused:,} refused."
API_EXAMPLE = "A request in Python, with the package openai:"
API_MODEL = "MODEL"
API_CODE = """from openai import OpenAI

client = OpenAI(base_url="{address}/v1", api_key="{key}")
question = [{{"role": "user", "content": "Hello"}}]
answer = client.chat.completions.create(model="{model}", messages=question)
print(answer.choices[0].message.content)"""
