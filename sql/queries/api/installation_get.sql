-- hot
-- What checks of a request need to know of the installation.
SELECT region_name, base_domain FROM skylark.installation
