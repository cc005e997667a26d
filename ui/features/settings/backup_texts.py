"""The words of backups and of homes restored from them."""

from __future__ import annotations

from workbench.base.catalogue import _

BACKUP = _("Backup")
BACKUP_HELP = _(
    "A backup is one zip file with everything in the data folder: chats, the text of documents that were read, models, "
    "adapters, data sets, runs and settings. You can go on working while it is written. It does not hold the keys and "
    "passwords in this machine's keyring, nor the files of models outside of the data folder."
)
WITHOUT_DOWNLOADS = _("Leave out models that were downloaded from the hub")
WITHOUT_DOWNLOADS_HELP = _("They can be downloaded again, as can runtime packs.")
BACK_UP, RESTORE = _("Back up…"), _("Restore…")
BACKUP_FILES = _("Backups (*.zip)")
BACKUP_NAME = _("LLM Workbench {date}.zip")
BUSY = _("A backup is being written or restored. Wait for its end, or stop it.")
BACKING_UP, RESTORING = _("Backing up"), _("Restoring")
STOPPED = _("Stopped. Nothing was left behind.")
WRITTEN = _("The backup is {path}, {size}. It holds {files}.")
NOT_IN_IT = _("Not in it: {names}.")
MORE = _("and {count} more")
MODEL_ELSEWHERE = _("the model {name}, which is in {path}")

# restoring
RESTORE_TITLE = _("Restore a backup")
RESTORE_FACTS = _("{name} was made on {date} by version {version} from {home}. It holds {files}, {bytes}.")
READING = _("Reading what the backup holds…")
IN_PLACE = _("Put it in the place of the present data")
IN_PLACE_HELP = _(
    "It takes its place when the program is next started. The present data folder is kept beside it, under a name with "
    "today's date, until you delete it."
)
IN_FOLDER = _("Put it into another folder")
IN_FOLDER_HELP = _("The present data stays as it is. The folder must be new or empty.")
FOLDER = _("Folder")
CHOOSE_FOLDER = _("Choose…")
RESTORE_NOW = _("Restore")
FOLDER_NEEDED = _("Choose the folder first.")
RESTORED_IN_FOLDER = _("The backup was restored into {home}.")
OPEN_RESTORED = _("Open it in a window")
RESTORED_IN_PLACE = _(
    "The backup was restored. It takes the place of the present data when the program starts again. The present data "
    "folder is kept beside it."
)
RESTART = _("Restart now")
UNWATCHED = _(
    "These folders are no longer watched, because their documents are not on this machine: {folders}. What was read "
    "from them is kept."
)
CANNOT_START = _("The window could not be started: {problem}")
