-- The database of everything that is computed from the log; `footfall` is made by the image. UTF8, whatever the
-- image's default: the services refuse other encodings.
CREATE DATABASE footfall_analytics ENCODING 'UTF8' TEMPLATE template0;
