package dev.obr.models.torch;

import java.util.List;

/**
 * A tensor as a pickle describes it: a strided view of a storage. Nothing of it is checked yet.
 *
 * @param storage the elements it looks at
 * @param offset of its first element in the storage
 * @param shape outermost dimension first
 * @param strides elements between neighbours along each dimension
 */
record TensorView(Storage storage, long offset, List<Long> shape, List<Long> strides) {
    /**
     * Elements in a record of their own.
     *
     * @param key names the record: {@code data/KEY}
     * @param elements that the pickle says there are
     */
    record Storage(StorageType type, String key, long elements) {}
}
