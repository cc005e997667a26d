"""The folders of the history: names for groups of chats, and what their new chats begin with."""

from __future__ import annotations

from workbench.base.errors import UserError
from workbench.base.stored import Unreadable
from workbench.records.projects import PROJECT, ChatProject
from workbench.storage.database import Database, new_id
from workbench.subjects.chats.calls import ChatFolder

LONGEST_FOLDER_NAME, LONGEST_INSTRUCTIONS = 80, 20_000


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

    def get(self, folder: str) -> ChatFolder:
        """Raises UserError when there is no such folder."""
        row = self._database.row("select name, project from chat_folders where id = ?", (self.id_of(folder),))
        assert row is not None
        project = PROJECT.decode(row[1]) if row[1] is not None else ChatProject()
        if isinstance(project, Unreadable):
            return ChatFolder(name=row[0], unreadable=project.reason)
        return ChatFolder(name=row[0], project=project)

    def change(self, folder: str, project: ChatProject) -> ChatFolder:
        """Raises UserError when there is no such folder, or the instructions are too long."""
        if len(project.instructions) > LONGEST_INSTRUCTIONS:
            raise UserError(f"The instructions of a project have at most {LONGEST_INSTRUCTIONS:,} characters.")
        stored = PROJECT.encode(project).decode() if project != ChatProject() else None
        with self._database.transaction():
            self._database.execute("update chat_folders set project = ? where id = ?", (stored, self.id_of(folder)))
            return self.get(folder)

    def remove(self, folder: str) -> None:
        """Its chats stay, in no folder."""
        with self._database.transaction():
            self._database.execute("delete from chat_folders where id = ?", (self.id_of(folder),))

    def id_of(self, name: str) -> str:
        """Raises UserError that names the folders there are."""
        row = self._database.row("select id from chat_folders where name = ?", (" ".join(name.split()),))
        if row is None:
            known = ", ".join(self.names())
            raise UserError(f"There is no project {name!r}.", f"Projects: {known}." if known else "Create one first.")
        return str(row[0])

    def _free_name(self, name: str, *, but: str) -> str:
        name = " ".join(name.split())
        if not name:
            raise UserError("The project needs a name.")
        if len(name) > LONGEST_FOLDER_NAME:
            raise UserError(f"The name of a project has at most {LONGEST_FOLDER_NAME} characters.")
        row = self._database.row("select id from chat_folders where name = ?", (name,))
        if row is not None and row[0] != but:
            raise UserError(f"There is already a project {name!r}.", "Choose another name.")
        return name
