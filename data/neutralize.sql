-- A copied database must not read the real company's bank accounts.
UPDATE ponto_integration SET client_id = NULL, client_secret_stored = NULL, state = 'draft';
UPDATE ponto_connect SET entered_secret = NULL;
UPDATE ponto_token SET access_token = NULL, refresh_token = NULL, issued_for = NULL, database = NULL, expires_at = NULL;
UPDATE ponto_account SET next_read_at = NULL;
DELETE FROM ir_config_parameter WHERE key LIKE 'account\_online\_ponto.connect\_client%';
