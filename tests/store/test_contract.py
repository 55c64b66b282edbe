from store.testing import StoreContract


class TestZarr(StoreContract):
    suffix = ".zarr"
