package dev.obr.runtime.transformer;

import dev.obr.kernels.linalg.ColumnOrder;
import dev.obr.kernels.packed.PackedMatrix;
import dev.obr.models.InputGroup;
import dev.obr.models.Model;
import dev.obr.models.Weight;
import org.jspecify.annotations.Nullable;

/**
 * The weights of one decoder layer, as the backend loaded them.
 *
 * @param queryNorm per-head norm of the queries (Qwen3), or null
 * @param keyNorm per-head norm of the keys (Qwen3), or null
 */
public record DecoderLayer(
        Tensor inputNorm,
        Linear query,
        Linear key,
        Linear value,
        @Nullable Tensor queryNorm,
        @Nullable Tensor keyNorm,
        Linear output,
        Tensor postAttentionNorm,
        Linear gate,
        Linear up,
        Linear down,
        InputOrders orders) {
    static DecoderLayer load(Model model, int index, Backend backend) {
        Loader in = new Loader(model, backend, "model.layers." + index + ".");
        return new DecoderLayer(
                in.vector("input_layernorm.weight"),
                in.linear("self_attn.q_proj"),
                in.linear("self_attn.k_proj"),
                in.linear("self_attn.v_proj"),
                in.optionalVector("self_attn.q_norm.weight"),
                in.optionalVector("self_attn.k_norm.weight"),
                in.linear("self_attn.o_proj"),
                in.vector("post_attention_layernorm.weight"),
                in.linear("mlp.gate_proj"),
                in.linear("mlp.up_proj"),
                in.linear("mlp.down_proj"),
                new InputOrders(
                        in.order(InputGroup.ATTENTION),
                        in.order(InputGroup.OUTPUT),
                        in.order(InputGroup.FEED_FORWARD),
                        in.order(InputGroup.DOWN)));
    }

    /** Loads weights by Hugging Face name below a prefix. */
    record Loader(Model model, Backend backend, String prefix) {
        Weight weight(String name) {
            Weight weight = model.weights().get(prefix + name);
            if (weight == null) {
                throw new IllegalStateException("the model has no tensor " + prefix + name);
            }
            return weight;
        }

        Tensor vector(String name) {
            return backend.vector(weight(name).vector());
        }

        @Nullable
        Tensor optionalVector(String name) {
            return model.weights().containsKey(prefix + name) ? vector(name) : null;
        }

        @Nullable
        DeviceOrder order(InputGroup group) {
            ColumnOrder order = model.inputOrders().get(prefix + group.orderName());
            return order == null ? null : backend.load(order);
        }

        Linear linear(String name) {
            PackedMatrix packed = model.packed().get(prefix + name + ".weight");
            DeviceWeight weight =
                    packed == null ? backend.load(weight(name + ".weight").matrix()) : backend.load(packed);
            return new Linear(weight, optionalVector(name + ".bias"));
        }
    }
}
