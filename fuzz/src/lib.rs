//! Fuzz targets of portal-auth.
