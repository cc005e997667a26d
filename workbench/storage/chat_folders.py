"""The folders of the history: names for groups of chats."""

from __future__ import annotations

from workbench.errors import UserError
from workbench.storage.database import Database, new_id

LONGEST_FOLDER_NAME = 80


class ChatFolders:
    """Every change is on the disk when its method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def names(self) -> tuple[str, ...]:
        """In alphabetical order."""
        return tuple(row[0] for row in self._database.execute("select name from chat_folders order by name"))

    def create(self, name: str) -> str:
        """Returns the name. Raises UserError when it is empty, too long or taken."""
        with self._database.transaction():
            name = self._free_name(name, but="")
            self._database.execute("insert into chat_folders (id, name) values (?, ?)", (new_id(), name))
        return name

    def rename(self, folder: str, name: str) -> str:
        """Returns the name. Raises UserError when it is empty, too long or taken."""
        with self._database.transaction():
            known = self.id_of(folder)
            name = self._free_name(name, but=known)
            self._database.execute("update chat_folders set name = ? where id = ?", (name, known))
        return name

    def remove(self, folder: str) -> None:
        """Its chats stay, in no folder."""
        with self._database.transaction():
            self._database.execute("delete from chat_folders where id = ?", (self.id_of(folder),))

    def id_of(self, name: str) -> str:
        """Raises UserError that names the folders there are."""
        row = self._database.row("select id from chat_folders where name = ?", (" ".join(name.split()),))
        if row is None:
            known = ", ".join(self.names())
            raise UserError(f"There is no folder {name!r}.", f"Folders: {known}." if known else "Create one first.")
        return str(row[0])

    def _free_name(self, name: str, *, but: str) -> str:
        name = " ".join(name.split())
        if not name:
            raise UserError("The folder needs a name.")
        if len(name) > LONGEST_FOLDER_NAME:
            raise UserError(f"The name of a folder has at most {LONGEST_FOLDER_NAME} characters.")
        row = self._database.row("select id from chat_folders where name = ?", (name,))
        if row is not None and row[0] != but:
            raise UserError(f"There is already a folder {name!r}.", "Choose another name.")
        return name
