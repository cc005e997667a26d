"""The words of backups and of homes restored from them."""

from __future__ import annotations

BACKUP = "Backup"
BACKUP_HELP = (
    "A backup is one zip file with everything in the data folder: chats, the text of documents that were read, models, "
    "adapters, data sets, runs and settings. You can go on working while it is written. It does not hold the keys and "
    "passwords in this machine's keyring, nor the files of models outside of the data folder."
)
WITHOUT_DOWNLOADS = "Leave out models that were downloaded from the hub"
WITHOUT_DOWNLOADS_HELP = "They can be downloaded again, as can runtime packs."
BACK_UP, RESTORE = "Back up…", "Restore…"
BACKUP_FILES = "Backups (*.zip)"
BACKUP_NAME = "LLM Workbench {date}.zip"
BUSY = "A backup is being written or restored. Wait for its end, or stop it."
BACKING_UP, RESTORING = "Backing up", "Restoring"
STOPPED = "Stopped. Nothing was left behind."
WRITTEN = "The backup is {path}, {size}. It holds {files}."
NOT_IN_IT = "Not in it: {names}."
MORE = "and {count} more"
MODEL_ELSEWHERE = "the model {name}, which is in {path}"

# restoring
RESTORE_TITLE = "Restore a backup"
RESTORE_FACTS = "{name} was made on {date} by version {version} from {home}. It holds {files}, {bytes}."
READING = "Reading what the backup holds…"
IN_PLACE = "Put it in the place of the present data"
IN_PLACE_HELP = (
    "It takes its place when the program is next started. The present data folder is kept beside it, under a name with "
    "today's date, until you delete it."
)
IN_FOLDER = "Put it into another folder"
IN_FOLDER_HELP = "The present data stays as it is. The folder must be new or empty."
FOLDER = "Folder"
CHOOSE_FOLDER = "Choose…"
RESTORE_NOW = "Restore"
FOLDER_NEEDED = "Choose the folder first."
RESTORED_IN_FOLDER = "The backup was restored into {home}."
OPEN_RESTORED = "Open it in a window"
RESTORED_IN_PLACE = (
    "The backup was restored. It takes the place of the present data when the program starts again. The present data "
    "folder is kept beside it."
)
RESTART = "Restart now"
UNWATCHED = (
    "These folders are no longer watched, because their documents are not on this machine: {folders}. What was read "
    "from them is kept."
)
CANNOT_START = "The window could not be started: {problem}"
