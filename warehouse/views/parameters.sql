-- What the warehouse was derived with: each parameter that is not at its default.
--   name: The setting, as in unecho.toml and `unecho rebuild --set`.
--   value: Its value as JSON.
SELECT name, value FROM _parameters
