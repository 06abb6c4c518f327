-- What is true of the installation as a whole.
SELECT id, base_domain, region_name, region_iaas, engine_id FROM skylark.installation WHERE only_row
