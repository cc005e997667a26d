-- What an answer from documents has come to, why it is doubted, and the road that it took (records/outcomes.py); null
-- or empty where no documents were asked, and in answers of earlier versions.
alter table messages add column outcome text;
alter table messages add column reasons text not null default '[]';
alter table messages add column road text;
alter table messages add column roads text not null default '[]';
