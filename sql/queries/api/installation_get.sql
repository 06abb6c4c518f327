-- hot
-- What checks of a request need to know of the installation.
SELECT region_name, base_domain, array_to_string(host_names, ',') FROM skylark.installation
