package dev.obr.kernels.emulator;

import dev.obr.kernels.emulator.ParsedModule.Function;
import dev.obr.kernels.emulator.ParsedModule.Item;
import dev.obr.kernels.emulator.Variable.Space;
import dev.obr.kernels.gpu.ComputeCapability;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads a module: its head, variables and functions. */
final class PtxParser {
    private static final Pattern TARGET = Pattern.compile("sm_(\\d{1,2})(\\d)[af]?");
    private static final int MOST_THREADS = 1024;

    private final TokenReader reader;
    private final DeclarationParser declarations;
    private final Scope module = new Scope(null);
    private final List<Variable> variables = new ArrayList<>();
    private final Map<String, Function> functions = new LinkedHashMap<>();
    private @Nullable String version;
    private @Nullable ComputeCapability target;

    private PtxParser(Source source) {
        this.reader = new TokenReader(source);
        this.declarations = new DeclarationParser(reader);
    }

    static ParsedModule parse(Source source) {
        return new PtxParser(source).module();
    }

    private ParsedModule module() {
        while (reader.peek().kind() != Token.Kind.END) {
            directive();
        }
        if (version == null || target == null) {
            throw reader.error(reader.peek(), "the module has no .version or no .target");
        }
        return new ParsedModule(reader.source(), version, target, variables, functions);
    }

    private void directive() {
        Token token = reader.next();
        switch (token.text()) {
            case ".version" -> version = reader.next().text();
            case ".target" -> target(token);
            case ".address_size" -> {
                if (reader.integer(32, 64) != 64) {
                    throw reader.error(token, "only 64-bit addresses are known");
                }
            }
            case ".file", ".loc" -> reader.skipLine(token.line());
            case ".section" -> {
                reader.word();
                reader.skipBraces();
            }
            case ".pragma" -> pragma();
            case ".visible", ".weak", ".common" -> {}
            case ".extern" -> external();
            case ".global" -> declarations.variables(Space.GLOBAL, module, false, variables);
            case ".const" -> declarations.variables(Space.CONST, module, false, variables);
            case ".shared" -> declarations.variables(Space.SHARED, module, false, new ArrayList<>());
            case ".entry" -> function(true, token);
            case ".func" -> function(false, token);
            case ";" -> {}
            default -> throw reader.error(token, "unknown directive \"" + token.text() + "\"");
        }
    }

    private void target(Token directive) {
        Token name = reader.word();
        Matcher matcher = TARGET.matcher(name.text());
        if (!matcher.matches()) {
            throw reader.error(name, "unknown target " + name.text());
        }
        target = new ComputeCapability(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        reader.skipLine(directive.line());
    }

    private void pragma() {
        do {
            reader.next();
        } while (reader.accept(","));
        reader.expect(";");
    }

    private void external() {
        Token token = reader.next();
        switch (token.text()) {
            case ".shared" -> declarations.variables(Space.SHARED, module, true, new ArrayList<>());
            case ".func" -> function(false, token);
            case ".global", ".const" ->
                throw reader.error(token, "variables of other modules are not known to the emulator");
            default -> throw reader.error(token, "unknown directive \"" + token.text() + "\"");
        }
    }

    private void function(boolean entry, Token directive) {
        List<Variable> results = List.of();
        reader.accept(".noreturn");
        if (!entry && reader.peek().is("(")) {
            results = parameters();
        }
        Token name = reader.word();
        List<Variable> parameters = reader.peek().is("(") ? parameters() : List.of();
        int maxThreads = performance();
        List<Item> items = null;
        if (!reader.accept(";")) {
            Scope scope = new Scope(module);
            results.forEach(scope::declare);
            parameters.forEach(scope::declare);
            items = new FunctionParser(reader, declarations, scope).body();
        } else if (entry) {
            throw reader.error(name, "the kernel " + name.text() + " has no body");
        }
        Function before = functions.get(name.text());
        if (before != null && before.items() != null && items != null) {
            throw reader.error(name, name.text() + " is defined twice");
        }
        if (before == null || before.items() == null) {
            functions.put(
                    name.text(),
                    new Function(name.text(), entry, results, parameters, items, maxThreads, directive.line()));
        }
    }

    private List<Variable> parameters() {
        List<Variable> parameters = new ArrayList<>();
        reader.expect("(");
        if (!reader.accept(")")) {
            do {
                Token token = reader.next();
                if (!token.is(".param")) {
                    throw reader.error(token, "parameters lie in .param, not in \"" + token.text() + "\"");
                }
                parameters.add(declarations.parameter());
            } while (reader.accept(","));
            reader.expect(")");
        }
        return parameters;
    }

    /** Directives between a function's head and its body: the most threads of a block that they name. */
    private int performance() {
        int most = MOST_THREADS;
        while (!reader.peek().is("{") && !reader.peek().is(";")) {
            Token token = reader.next();
            switch (token.text()) {
                case ".maxntid", ".reqntid" -> most = Math.min(most, extents(token));
                case ".minnctapersm", ".maxnctapersm", ".maxnreg" -> reader.integer(0, Integer.MAX_VALUE);
                case ".noreturn" -> {}
                case ".pragma" -> pragma();
                default -> throw reader.error(token, "unknown directive \"" + token.text() + "\"");
            }
        }
        return most;
    }

    private int extents(Token token) {
        long count = 1;
        do {
            count *= reader.integer(1, MOST_THREADS);
            if (count > MOST_THREADS) {
                throw reader.error(token, "a block has at most " + MOST_THREADS + " threads");
            }
        } while (reader.accept(","));
        return (int) count;
    }
}
