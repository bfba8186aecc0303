-- hold: writers share this lock, veldwatch migrate takes it alone
SELECT pg_advisory_xact_lock_shared(1447382084);

-- newest: the last migration that was applied; none counts while a dump is being read in
SELECT max(number) FROM migration WHERE to_regclass('public.restore_unfinished') IS NULL;
