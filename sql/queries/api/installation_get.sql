-- hot
-- one row
-- What checks of a request need to know of the installation.
-- columns: region_name, base_domain, host_names
SELECT region_name, base_domain, array_to_string(host_names, ',') AS host_names FROM skylark.installation
