-- How often a model's answers from documents are right, measured (records/exam.py: ExamResult), as JSON.
alter table models add column exam text;
