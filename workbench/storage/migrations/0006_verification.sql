-- The statements of an answer, verified against its passages (records/messages.py: Verification), as JSON.
alter table messages add column verification text;
