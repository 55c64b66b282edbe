from store.testing import StoreContract


class TestZarr(StoreContract):
    suffix = ".zarr"


class TestHdf5(StoreContract):
    suffix = ".h5"
