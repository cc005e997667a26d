-- A question that stands for a task on one whole document keeps the task, so that it can be done again.
alter table messages add column document text;
