package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.Operands.AddressPlace;
import dev.obr.kernels.emulator.Operands.Place;
import java.util.List;

/** Loads and stores in all spaces. Cache modifiers change nothing. */
final class MemoryOps {
    private static final String[] HINTS = {
        "weak",
        "ca",
        "cg",
        "cs",
        "lu",
        "cv",
        "nc",
        "wb",
        "wt",
        "L1::evict_normal",
        "L1::evict_unchanged",
        "L1::evict_first",
        "L1::evict_last",
        "L1::no_allocate",
        "L2::evict_normal",
        "L2::evict_first",
        "L2::evict_last",
        "L2::64B",
        "L2::128B",
        "L2::256B",
        "unified"
    };
    private static final String[] SCOPES = {"cta", "cluster", "gpu", "sys"};

    private MemoryOps() {}

    /** Which memory an instruction names. */
    enum Space {
        GENERIC,
        GLOBAL,
        SHARED,
        LOCAL,
        PARAMETERS
    }

    static Operation decode(Opcode opcode, Operands o) {
        if (opcode.name().startsWith("prefetch")) {
            return prefetch(opcode, o);
        }
        boolean store = opcode.name().equals("st");
        boolean synchronising = opcode.takeAny("volatile", "relaxed", "acquire", "release") != null;
        opcode.ignore(SCOPES);
        String spaceName = opcode.takeAny(
                "global", "const", "shared", "shared::cta", "local", "param", "param::entry", "param::func");
        opcode.ignore(HINTS);
        String vector = opcode.takeAny("v2", "v4", "v8");
        int count = vector == null ? 1 : vector.charAt(1) - '0';
        PtxType type = opcode.type();
        if (type == PtxType.PRED || type.bits() > 64 || type.packed() || type.bytes() * count > 32) {
            throw new DecodeFault("no such access: " + count + " of " + type);
        }
        o.expect(2);
        AddressPlace address = o.address(store ? 0 : 1);
        Space space = space(spaceName, address, o);
        List<Operand> elements = Operands.elements(o.at(store ? 1 : 0));
        if (elements.size() != count) {
            throw new DecodeFault("expected " + count + " registers, not " + elements.size());
        }
        Place[] places = new Place[count];
        for (int i = 0; i < count; i++) {
            places[i] = store ? o.wideningSource(elements.get(i), type) : o.wideningOut(elements.get(i), type);
        }
        Access access = new Access(address, space, type, places, synchronising);
        if (store) {
            if (spaceName != null && (spaceName.equals("const") || space == Space.PARAMETERS)) {
                throw new DecodeFault("nothing can be stored there");
            }
            return new Store(access);
        }
        return new Load(access);
    }

    /** The parameters of calls lie in local memory. */
    private static Space space(@org.jspecify.annotations.Nullable String name, AddressPlace address, Operands o) {
        if (name == null) {
            return Space.GENERIC;
        }
        return switch (name) {
            case "global", "const" -> Space.GLOBAL;
            case "shared", "shared::cta" -> Space.SHARED;
            case "local" -> Space.LOCAL;
            default -> {
                Variable symbol = address.symbol();
                yield symbol == null || o.kernelParameter(symbol) ? Space.PARAMETERS : Space.LOCAL;
            }
        };
    }

    private static Operation prefetch(Opcode opcode, Operands o) {
        opcode.takeAny("global", "local");
        opcode.takeAny("L1", "L2", "L2::evict_last", "L2::evict_normal");
        o.expect(1);
        o.address(0);
        return new Operation() {
            @Override
            void run(Warp warp, int mask) {}
        };
    }

    /** Sets the addresses of a request. */
    static void addresses(AddressPlace place, Warp warp, int mask, long[] addresses) {
        if (place.base() == AddressPlace.NO_BASE) {
            for (int lane = 0; lane < Warp.LANES; lane++) {
                addresses[lane] = place.offset();
            }
        } else if (place.wide()) {
            for (int lane = 0; lane < Warp.LANES; lane++) {
                addresses[lane] = warp.longs[place.base() + lane] + place.offset();
            }
        } else {
            for (int lane = 0; lane < Warp.LANES; lane++) {
                addresses[lane] = (warp.words[place.base() + lane] & 0xffffffffL) + place.offset();
            }
        }
    }

    /** What loads and stores have in common. */
    private record Access(AddressPlace address, Space space, PtxType type, Place[] places, boolean synchronising) {
        Request request(Warp warp, int mask) {
            Request request = warp.request;
            request.set(mask, type.bytes(), places.length, synchronising);
            addresses(address, warp, mask, request.addresses);
            return request;
        }
    }

    private static final class Load extends Operation {
        private final Access access;

        Load(Access access) {
            this.access = access;
        }

        @Override
        void run(Warp warp, int mask) {
            Request request = access.request(warp, mask);
            warp.block.memory().read(warp, request, access.space);
            PtxType type = access.type;
            for (int e = 0; e < access.places.length; e++) {
                Place place = access.places[e];
                int from = Warp.LANES * e;
                boolean extends_ = type.signed() && place.bits() > type.bits();
                if (place.wide()) {
                    for (int m = mask; m != 0; m &= m - 1) {
                        int lane = Integer.numberOfTrailingZeros(m);
                        long value = request.data[from + lane];
                        warp.longs[place.at() + lane] = extends_ ? Conversion.extend(value, type) : value;
                    }
                } else if (extends_) {
                    long bits = (1L << place.bits()) - 1;
                    for (int m = mask; m != 0; m &= m - 1) {
                        int lane = Integer.numberOfTrailingZeros(m);
                        warp.words[place.at() + lane] =
                                (int) (Conversion.extend(request.data[from + lane], type) & bits);
                    }
                } else {
                    for (int lane = 0; lane < Warp.LANES; lane++) {
                        if ((mask >>> lane & 1) != 0) {
                            warp.words[place.at() + lane] = (int) request.data[from + lane];
                        }
                    }
                }
            }
        }
    }

    private static final class Store extends Operation {
        private final Access access;

        Store(Access access) {
            this.access = access;
        }

        @Override
        void run(Warp warp, int mask) {
            Request request = access.request(warp, mask);
            long bits = access.type.bits() == 64 ? -1 : (1L << access.type.bits()) - 1;
            for (int e = 0; e < access.places.length; e++) {
                Place place = access.places[e];
                int to = Warp.LANES * e;
                for (int lane = 0; lane < Warp.LANES; lane++) {
                    long value = place.wide() ? warp.longs[place.at() + lane] : warp.words[place.at() + lane];
                    request.data[to + lane] = value & bits;
                }
            }
            warp.block.memory().write(warp, request, access.space);
        }
    }
}
