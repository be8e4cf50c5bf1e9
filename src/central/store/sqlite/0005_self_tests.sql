-- How many buttons a terminal had to test when one of them was tested; null where its program did not say.
alter table self_tests add column total integer;
