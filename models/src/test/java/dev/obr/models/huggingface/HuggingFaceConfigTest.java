package dev.obr.models.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.obr.kernels.ObrException;
import dev.obr.models.ExpectedWeights.AttentionBias;
import dev.obr.models.ModelConfig;
import dev.obr.models.RopeScaling;
import dev.obr.models.file.JsonFile;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class HuggingFaceConfigTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    @Test
    void absentFieldsTakeTheFamilysDefaults() {
        ModelConfig llama = read("LlamaForCausalLM", "{}");
        assertThat(llama.kvHeads()).isEqualTo(2);
        assertThat(llama.headDim()).isEqualTo(16);
        assertThat(llama.contextLength()).isEqualTo(2048);
        assertThat(llama.rmsNormEpsilon()).isEqualTo(1e-6f);
        assertThat(llama.ropeTheta()).isEqualTo(10000f);
        assertThat(llama.ropeScaling()).isNull();
        assertThat(llama.tiedEmbeddings()).isFalse();
        assertThat(llama.bosTokenId()).isEqualTo(-1);
        assertThat(llama.eosTokenIds()).isEmpty();
        assertThat(read("MistralForCausalLM", "{}").contextLength()).isEqualTo(131072);
        assertThat(read("Qwen2ForCausalLM", "{}").contextLength()).isEqualTo(32768);
        assertThat(read("Qwen3ForCausalLM", "{\"head_dim\": null}").headDim()).isEqualTo(128);
    }

    @Test
    void withoutAHeadOfItsOwnAModelIsTied() {
        JsonFile config = config("LlamaForCausalLM", "{}");
        assertThat(HuggingFaceConfig.read(config, null, false).tiedEmbeddings()).isTrue();
        JsonFile untied = config("LlamaForCausalLM", "{\"tie_word_embeddings\": false}");
        assertThat(HuggingFaceConfig.read(untied, null, false).tiedEmbeddings()).isFalse();
    }

    @Test
    void readsLlama3ScalingInBothSpellings() {
        String scaling = """
                "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192""";
        RopeScaling expected = new RopeScaling.Llama3(32, 1, 4, 8192);
        ModelConfig version4 =
                read("LlamaForCausalLM", "{\"rope_theta\": 500000.0, \"rope_scaling\": {" + scaling + "}}");
        ModelConfig version5 =
                read("LlamaForCausalLM", "{\"rope_parameters\": {\"rope_theta\": 500000.0, " + scaling + "}}");
        assertThat(version4.ropeScaling()).isEqualTo(expected);
        assertThat(version4.ropeTheta()).isEqualTo(500000f);
        assertThat(version5).isEqualTo(version4);
    }

    /** The values of transformers' {@code LlamaRotaryEmbedding.inv_freq} for Llama 3.2's constants and heads of 16. */
    @Test
    void scalesFrequenciesAsTransformersDoes() {
        ModelConfig config = read("LlamaForCausalLM", """
                {"head_dim": 16, "rope_theta": 500000.0, "rope_scaling": {"type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
                 "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}""");
        float[] expected = {
            1f, 0.19392276f, 0.03760603f, 0.007292665f, 0.0004295567f, 8.570256e-06f, 1.6619674e-06f, 3.222933e-07f
        };
        float[] found = config.ropeFrequencies();
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(found[i]).isCloseTo(expected[i], within(4e-7f * expected[i]));
        }
    }

    @Test
    void endOfSequenceTokensComeFromTheGenerationConfigFirst() {
        JsonFile config = config("LlamaForCausalLM", "{\"eos_token_id\": 5, \"bos_token_id\": 4}");
        assertThat(HuggingFaceConfig.read(config, null, true).eosTokenIds()).containsExactly(5);
        JsonFile generation = json("{\"eos_token_id\": [6, 7]}");
        ModelConfig both = HuggingFaceConfig.read(config, generation, true);
        assertThat(both.eosTokenIds()).containsExactly(6, 7);
        assertThat(both.bosTokenId()).isEqualTo(4);
        assertThat(HuggingFaceConfig.read(config, json("{}"), true).eosTokenIds())
                .containsExactly(5);
    }

    @Test
    void aSlidingWindowInUseLimitsTheContext() {
        String window = "\"max_position_embeddings\": 32768, \"sliding_window\": 4096";
        assertThat(read("MistralForCausalLM", "{" + window + "}").contextLength())
                .isEqualTo(4096);
        assertThat(read("MistralForCausalLM", "{\"sliding_window\": null}").contextLength())
                .isEqualTo(131072);
        assertThat(read("Qwen2ForCausalLM", "{" + window + ", \"use_sliding_window\": false}")
                        .contextLength())
                .isEqualTo(32768);
        assertThat(read("Qwen2ForCausalLM", "{" + window + ", \"use_sliding_window\": true}")
                        .contextLength())
                .isEqualTo(4096);
        assertThat(read("Qwen3ForCausalLM", "{" + window + ", \"layer_types\": [\"sliding_attention\"]}")
                        .contextLength())
                .isEqualTo(4096);
    }

    @Test
    void knowsWhichProjectionsHaveABias() {
        assertThat(HuggingFaceConfig.attentionBias(config("LlamaForCausalLM", "{}")))
                .isEqualTo(AttentionBias.NONE);
        assertThat(HuggingFaceConfig.attentionBias(config("Qwen2ForCausalLM", "{}")))
                .isEqualTo(AttentionBias.QKV);
        assertThat(HuggingFaceConfig.attentionBias(config("Qwen3ForCausalLM", "{\"attention_bias\": true}")))
                .isEqualTo(AttentionBias.QKVO);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"rope_scaling": {"type": "yarn", "factor": 4.0}}              | rope_scaling {"type":"yarn","factor":4.0} is not implemented
            {"rope_scaling": {"type": "linear", "factor": 2.0}}            | rope_scaling
            {"rope_scaling": {"factor": 2.0}}                              | rope_scaling
            {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}   | rope_parameters
            {"rope_parameters": {"full_attention": {"rope_theta": 1.0}}}   | rope_parameters
            {"rope_parameters": {"rope_theta": 1e4, "partial_rotary_factor": 0.5}} | partial_rotary_factor 0.5 is not implemented
            {"partial_rotary_factor": 0.25}                                | partial_rotary_factor 0.25
            {"hidden_act": "gelu"}                                         | hidden_act "gelu" is not implemented
            {"mlp_bias": true}                                             | mlp_bias true
            {"num_local_experts": 8}                                       | num_local_experts 8
            {"num_experts": 64}                                            | num_experts 64
            {"attn_logit_softcapping": 50.0}                               | attn_logit_softcapping 50.0
            {"quantization_config": {"quant_method": "gptq"}}              | quantization_config {"quant_method":"gptq"} is not implemented
            {"layer_types": ["chunked_attention"]}                         | layer_types ["chunked_attention"]
            {"architectures": ["Gemma2ForCausalLM"]}                       | architectures ["Gemma2ForCausalLM"] is not supported; LlamaForCausalLM
            {"architectures": null, "model_type": "gpt2"}                  | model_type "gpt2" is not supported
            {"hidden_size": null}                                          | has no hidden_size
            {"hidden_size": -64}                                           | hidden_size is -64, but a whole number of at least 1
            {"hidden_size": 4294967296}                                    | hidden_size is 4294967296
            {"hidden_size": "64"}                                          | hidden_size is "64"
            {"hidden_size": 63}                                            | hidden_size 63 is no multiple of the 2 num_attention_heads
            {"num_attention_heads": 3, "num_key_value_heads": 2, "head_dim": 4} | 3 attention heads can't share 2 key/value heads
            {"head_dim": 5}                                                | heads of 5 components
            {"head_dim": 2000000000}                                       | too large
            {"num_hidden_layers": 2000000000}                              | 2000000000 layers are too many
            {"rms_norm_eps": -1}                                           | rms_norm_eps is -1, but a positive number
            {"tie_word_embeddings": "yes"}                                 | tie_word_embeddings is "yes", but true or false
            {"eos_token_id": 99}                                           | the end-of-sequence token is 99, outside the vocabulary of 32
            {"eos_token_id": ["a"]}                                        | eos_token_id is ["a"], but a token id or a list of them
            {"bos_token_id": 32}                                           | the beginning-of-sequence token is 32
            {"rope_scaling": {"type": "llama3", "factor": 8}}              | has no low_freq_factor
            """)
    void namesTheFieldThatCannotBeUsed(String changes, String fault) {
        assertThatThrownBy(() -> read("LlamaForCausalLM", changes))
                .isInstanceOf(ObrException.class)
                .hasMessageStartingWith("config.json")
                .hasMessageContaining(fault);
    }

    private static ModelConfig read(String architecture, String changes) {
        return HuggingFaceConfig.read(config(architecture, changes), null, true);
    }

    /** A small valid configuration with some fields replaced. */
    private static JsonFile config(String architecture, String changes) {
        ObjectNode root = JSON.createObjectNode();
        root.putArray("architectures").add(architecture);
        root.put("hidden_size", 32);
        root.put("intermediate_size", 48);
        root.put("num_hidden_layers", 1);
        root.put("num_attention_heads", 2);
        root.put("num_key_value_heads", 2);
        root.put("vocab_size", 32);
        root.setAll((ObjectNode) JSON.readTree(changes));
        return json(root.toString());
    }

    private static JsonFile json(String text) {
        return JsonFile.parse(text.getBytes(StandardCharsets.UTF_8), "config.json");
    }
}
