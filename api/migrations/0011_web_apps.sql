-- Web apps: an address in place of a package. Links open in them on devices that are neither of Apple nor Android.

ALTER TABLE mobile_apps
    DROP CONSTRAINT mobile_apps_platform_check,
    ADD CONSTRAINT mobile_apps_platform_check CHECK (platform IN ('ios', 'android', 'web')),
    ALTER COLUMN package DROP NOT NULL,
    ADD CONSTRAINT mobile_apps_package_check CHECK ((platform = 'web') = (package IS NULL)),
    ADD CONSTRAINT mobile_apps_store_url_check CHECK (platform <> 'web' OR store_url IS NOT NULL);
