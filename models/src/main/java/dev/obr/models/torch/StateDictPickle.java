package dev.obr.models.torch;

import dev.obr.kernels.ObrException;
import dev.obr.models.file.Excerpt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the pickle of a state dict: a dictionary of names and tensors.
 *
 * <p>A pickle is a program for a stack machine that may call any function of Python. This machine has the instructions that {@code torch.save} writes for tensors (pickle protocol 2),
 * and knows four functions, which are no calls here but constructors of values: {@code OrderedDict}, {@code _rebuild_tensor_v2}, {@code _rebuild_parameter} and the storage classes of
 * {@link StorageType}. Whatever else a pickle asks for is refused by its name.
 *
 * <p>Work and memory are bounded by the length of the pickle, which is limited.
 */
final class StateDictPickle {
    /** Some 100,000 tensors; the largest models have a few thousand. */
    private static final long MAX_BYTES = 16 << 20;

    private static final int MAX_GLOBAL = 1024;

    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    // The instructions, by the names of Python's pickletools
    private static final int MARK = '(';
    private static final int STOP = '.';
    private static final int NONE = 'N';
    private static final int NEWTRUE = 0x88;
    private static final int NEWFALSE = 0x89;
    private static final int BININT = 'J';
    private static final int BININT1 = 'K';
    private static final int BININT2 = 'M';
    private static final int LONG1 = 0x8a;
    private static final int BINUNICODE = 'X';
    private static final int EMPTY_TUPLE = ')';
    private static final int TUPLE1 = 0x85;
    private static final int TUPLE2 = 0x86;
    private static final int TUPLE3 = 0x87;
    private static final int TUPLE = 't';
    private static final int EMPTY_DICT = '}';
    private static final int SETITEM = 's';
    private static final int SETITEMS = 'u';
    private static final int BINPUT = 'q';
    private static final int LONG_BINPUT = 'r';
    private static final int BINGET = 'h';
    private static final int LONG_BINGET = 'j';
    private static final int GLOBAL = 'c';
    private static final int BINPERSID = 'Q';
    private static final int REDUCE = 'R';
    private static final int BUILD = 'b';

    /** Values without content of their own. */
    private enum Constant {
        NONE,
        ORDERED_DICT,
        REBUILD_TENSOR,
        REBUILD_PARAMETER
    }

    private record Dictionary(Map<String, Object> entries) {}

    private record Tuple(List<Object> items) {}

    private final MemorySegment pickle;
    private final String source;
    private final List<Object> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Integer, Object> memo = new HashMap<>();
    private long at;

    private StateDictPickle(MemorySegment pickle, String source) {
        this.pickle = pickle;
        this.source = source;
    }

    /**
     * The tensors of a state dict by name, in its order.
     *
     * @param source the file's name, for messages
     * @throws ObrException where the pickle is damaged, or asks for anything but tensors
     */
    static Map<String, TensorView> read(MemorySegment pickle, String source) {
        if (pickle.byteSize() > MAX_BYTES) {
            throw new ObrException(source + " describes its tensors in " + pickle.byteSize()
                    + " bytes, too many for a model (limit " + MAX_BYTES + "); is it the right file?");
        }
        StateDictPickle reader = new StateDictPickle(pickle, source);
        reader.checkProtocol();
        Map<String, TensorView> tensors = new LinkedHashMap<>();
        reader.run().entries().forEach((name, value) -> {
            if (!Excerpt.isPlain(name)) {
                throw reader.damaged("a tensor has the unprintable name " + Excerpt.of(name));
            }
            if (!(value instanceof TensorView tensor)) {
                throw new ObrException(source + " holds " + described(value) + " under " + name
                        + ", where tensors are expected; save the model's state_dict() and nothing else");
            }
            tensors.put(name, tensor);
        });
        return tensors;
    }

    private void checkProtocol() {
        if (pickle.byteSize() < 2 || next() != 0x80) {
            throw damaged("its pickle does not begin as one");
        }
        int protocol = next();
        if (protocol != 2) {
            throw new ObrException(source + " is pickled with protocol " + protocol
                    + ", but torch.save writes 2 unless told otherwise; save it again without pickle_protocol");
        }
    }

    /** Runs to the end, where one dictionary must be left. */
    private Dictionary run() {
        for (int instruction = next(); instruction != STOP; instruction = next()) {
            step(instruction);
        }
        Object result = pop();
        if (!(result instanceof Dictionary state)) {
            throw new ObrException(source + " holds " + described(result)
                    + ", where a dictionary of tensors is expected; save the model's state_dict()");
        }
        return state;
    }

    private void step(int instruction) {
        switch (instruction) {
            case MARK -> marks.add(stack.size());
            case NONE -> push(Constant.NONE);
            case NEWTRUE -> push(true);
            case NEWFALSE -> push(false);
            case BININT -> push((long) pickle.get(I32, take(4)));
            case BININT1 -> push((long) next());
            case BININT2 -> push((long) Short.toUnsignedInt(pickle.get(U16, take(2))));
            case LONG1 -> push(longInteger());
            case BINUNICODE -> push(unicode());
            case EMPTY_TUPLE -> push(new Tuple(List.of()));
            case TUPLE1 -> push(tuple(1));
            case TUPLE2 -> push(tuple(2));
            case TUPLE3 -> push(tuple(3));
            case TUPLE -> push(new Tuple(popToMark()));
            case EMPTY_DICT -> push(new Dictionary(new LinkedHashMap<>()));
            case SETITEM -> setItems(tuple(2).items());
            case SETITEMS -> setItems(popToMark());
            case BINPUT -> memo.put(next(), top());
            case LONG_BINPUT -> memo.put(pickle.get(I32, take(4)), top());
            case BINGET -> push(remembered(next()));
            case LONG_BINGET -> push(remembered(pickle.get(I32, take(4))));
            case GLOBAL -> push(global());
            case BINPERSID -> push(storage(pop()));
            case REDUCE -> push(reduce());
            case BUILD -> build();
            default ->
                throw new ObrException(source + " has the pickle instruction 0x" + Integer.toHexString(instruction)
                        + " at byte " + (at - 1) + ", which tensors do not need; only tensors are read: save the"
                        + " model's state_dict()");
        }
    }

    /** A name of Python's, here always one of those that tensors need. */
    private Object global() {
        String module = line();
        String name = line();
        if (module.equals("torch")) {
            StorageType type = StorageType.named(name).orElse(null);
            if (type != null) {
                return type;
            }
        }
        return switch (module + "." + name) {
            case "collections.OrderedDict" -> Constant.ORDERED_DICT;
            case "torch._utils._rebuild_tensor_v2" -> Constant.REBUILD_TENSOR;
            case "torch._utils._rebuild_parameter" -> Constant.REBUILD_PARAMETER;
            default ->
                throw new ObrException(
                        source + " asks to call " + Excerpt.of(module + "." + name) + "; only tensors are read");
        };
    }

    private Object reduce() {
        Object arguments = pop();
        Object function = pop();
        if (arguments instanceof Tuple tuple && function instanceof Constant constant) {
            List<Object> items = tuple.items();
            switch (constant) {
                case ORDERED_DICT -> {
                    if (items.isEmpty()) {
                        return new Dictionary(new LinkedHashMap<>());
                    }
                }
                case REBUILD_TENSOR -> { // storage, offset, shape, strides, requires_grad, backward_hooks[, metadata]
                    if (items.size() >= 6
                            && items.get(0) instanceof TensorView.Storage storage
                            && items.get(1) instanceof Long offset) {
                        return new TensorView(storage, offset, numbers(items.get(2)), numbers(items.get(3)));
                    }
                }
                case REBUILD_PARAMETER -> { // data, requires_grad, backward_hooks
                    if (items.size() == 3 && items.get(0) instanceof TensorView tensor) {
                        return tensor;
                    }
                }
                case NONE -> {}
            }
        }
        throw damaged("its pickle builds a tensor of the wrong parts before byte " + at);
    }

    /** ("storage", class, key, device, elements): where the elements of a tensor are. */
    private TensorView.Storage storage(Object id) {
        List<Object> parts = id instanceof Tuple tuple ? tuple.items() : List.of();
        if (parts.size() == 5
                && parts.get(0).equals("storage")
                && parts.get(1) instanceof StorageType type
                && parts.get(2) instanceof String key
                && parts.get(4) instanceof Long elements) {
            return new TensorView.Storage(type, key, elements);
        }
        throw damaged("its pickle names a storage in an unknown way before byte " + at);
    }

    /** The attributes of a dictionary: a state dict has the versions of its modules there, which do not matter. */
    private void build() {
        Object attributes = pop();
        if (!(attributes instanceof Dictionary) || !(top() instanceof Dictionary)) {
            throw damaged("its pickle sets the state of " + described(top()) + " before byte " + at);
        }
    }

    private void setItems(List<Object> items) {
        if (!(top() instanceof Dictionary dictionary) || items.size() % 2 != 0) {
            throw damaged("its pickle fills " + described(top()) + " before byte " + at);
        }
        for (int i = 0; i < items.size(); i += 2) {
            if (!(items.get(i) instanceof String name)) {
                throw new ObrException(source + " has a dictionary with " + described(items.get(i))
                        + " as a key, where names of tensors are expected; save the model's state_dict()");
            }
            dictionary.entries().put(name, items.get(i + 1));
        }
    }

    private List<Long> numbers(Object value) {
        if (!(value instanceof Tuple tuple)) {
            throw damaged("a tensor's shape is " + described(value));
        }
        List<Long> numbers = new ArrayList<>();
        for (Object item : tuple.items()) {
            if (!(item instanceof Long number)) {
                throw damaged("a tensor's shape holds " + described(item));
            }
            numbers.add(number);
        }
        return numbers;
    }

    private long longInteger() {
        int length = next();
        if (length > 8) {
            throw damaged("its pickle holds a number of " + length + " bytes");
        }
        long from = take(length);
        long value = 0;
        for (int i = 0; i < length; i++) {
            value |= Byte.toUnsignedLong(pickle.get(ValueLayout.JAVA_BYTE, from + i)) << 8 * i;
        }
        int unused = 64 - 8 * length;
        return length == 0 ? 0 : value << unused >> unused; // two's complement
    }

    private String unicode() {
        int length = pickle.get(I32, take(4));
        if (length < 0) {
            throw damaged("its pickle holds a text of " + Integer.toUnsignedString(length) + " bytes");
        }
        return text(take(length), length);
    }

    private String line() {
        long from = at;
        while (next() != '\n') {
            if (at - from > MAX_GLOBAL) {
                throw damaged("its pickle has a name without end at byte " + from);
            }
        }
        return text(from, at - 1 - from);
    }

    private String text(long from, long length) {
        return new String(pickle.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    private int next() {
        return Byte.toUnsignedInt(pickle.get(ValueLayout.JAVA_BYTE, take(1)));
    }

    /** Where the next {@code length} bytes start, once it is known that they are there. */
    private long take(long length) {
        if (length > pickle.byteSize() - at) {
            throw damaged("its pickle ends at byte " + pickle.byteSize() + " in the middle of an instruction");
        }
        at += length;
        return at - length;
    }

    private void push(Object value) {
        stack.add(value);
    }

    /** The values above the last mark may be taken, and no others. */
    private int floor() {
        return marks.isEmpty() ? 0 : marks.getLast();
    }

    private Object top() {
        if (stack.size() <= floor()) {
            throw damaged("its pickle takes a value that is not there before byte " + at);
        }
        return stack.getLast();
    }

    private Object pop() {
        Object value = top();
        stack.removeLast();
        return value;
    }

    private Tuple tuple(int size) {
        List<Object> items = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            items.addFirst(pop());
        }
        return new Tuple(items);
    }

    private List<Object> popToMark() {
        if (marks.isEmpty()) {
            throw damaged("its pickle has no mark to go back to before byte " + at);
        }
        List<Object> above = stack.subList(marks.removeLast(), stack.size());
        List<Object> items = new ArrayList<>(above);
        above.clear();
        return items;
    }

    private Object remembered(int index) {
        Object value = memo.get(index);
        if (value == null) {
            throw damaged("its pickle remembers nothing as " + index);
        }
        return value;
    }

    private static String described(Object value) {
        return switch (value) {
            case Constant constant -> constant == Constant.NONE ? "None" : "a function";
            case Dictionary dictionary -> "a dictionary";
            case Tuple tuple -> "a tuple";
            case TensorView tensor -> "a tensor";
            case TensorView.Storage storage -> "a storage";
            case StorageType type -> "the class " + type;
            case String text -> "a text";
            case Boolean flag -> "a truth value";
            default -> "a number";
        };
    }

    private ObrException damaged(String fault) {
        return new ObrException(source + " is damaged: " + fault + "; download it again");
    }
}
