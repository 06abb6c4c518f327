-- one row
-- Sets the roles' settings that differ from what they should be.
-- columns: changed
SELECT skylark.role_settings_apply() AS changed
