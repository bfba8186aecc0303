-- tariffs: of one organisation
SELECT o.slug AS organisation, o.currency, o.water_tariff, o.energy_tariff, o.id
FROM organisation o WHERE o.slug = %(organisation)s AND (%(scope)s::integer IS NULL OR o.id = %(scope)s);

-- set_tariffs: what water and energy cost in an organisation from now on
UPDATE organisation SET currency = %(currency)s, water_tariff = %(water_tariff)s, energy_tariff = %(energy_tariff)s
WHERE id = %(id)s;

-- initial_tariffs: what water and energy cost in an organisation, where nobody has said it
UPDATE organisation SET currency = %(currency)s, water_tariff = %(water_tariff)s, energy_tariff = %(energy_tariff)s
WHERE id = %(id)s AND %(currency)s::text IS NOT NULL AND num_nonnulls(currency, water_tariff, energy_tariff) = 0;

-- initial_sites: who depends on sites of an organisation, where nobody has said it
UPDATE site s SET people = w.people, customers = w.customers
FROM unnest(%(sites)s::text[], %(people)s::integer[], %(customers)s::integer[]) AS w (slug, people, customers)
WHERE s.organisation_id = %(id)s AND s.slug = w.slug AND num_nonnulls(s.people, s.customers) = 0;

-- site: what was said of a site, and of what lies below it as a whole
SELECT s.id, s.organisation_id, s.people, s.customers, s.water_tariff, s.energy_tariff
FROM site s WHERE s.id = %(id)s AND (%(scope)s::integer IS NULL OR s.organisation_id = %(scope)s);

-- set_site: who depends on a site, and what differs there
UPDATE site SET people = %(people)s, customers = %(customers)s, water_tariff = %(water_tariff)s,
                energy_tariff = %(energy_tariff)s
WHERE id = %(id)s;

-- device: what was said of a device
SELECT d.id, d.organisation_id, d.site_id, d.people, d.customers, d.supplies_site
FROM device d WHERE d.id = %(id)s AND (%(scope)s::integer IS NULL OR d.organisation_id = %(scope)s);

-- set_device: who depends on a device
UPDATE device SET people = %(people)s, customers = %(customers)s, supplies_site = %(supplies_site)s WHERE id = %(id)s;

-- find_site: a site by its name
SELECT s.id FROM site s JOIN organisation o ON o.id = s.organisation_id
WHERE o.slug = %(organisation)s AND s.slug = %(site)s;
