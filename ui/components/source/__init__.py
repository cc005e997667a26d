"""Documents drawn as what they are: text with headings and lists, tables, mails and slides."""
