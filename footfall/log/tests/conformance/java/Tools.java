import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Kafka's command line tools in one Java machine, because each start of Java takes a second or two.
 *
 * <p>A request is a line on standard input: the tool's class and its arguments, separated by tabs. The answer is a
 * line with the exit code and the lengths of what the tool wrote to standard output and standard error, followed by
 * those bytes.
 */
public final class Tools {
    /** Ends a tool where it would have ended the process. */
    private static final class Exited extends RuntimeException {
        final int code;

        Exited(int code) {
            super("exit " + code, null, false, false);
            this.code = code;
        }
    }

    public static void main(String[] none) throws Exception {
        PrintStream answers = System.out;
        List<Runnable> atExit = new ArrayList<>();
        Exit.Procedure exit = (code, message) -> {
            throw new Exited(code);
        };
        Exit.setExitProcedure(exit);
        Exit.setHaltProcedure(exit);
        // What a tool does at the end of its process is done at the end of the tool.
        Exit.setShutdownHookAdder((name, hook) -> atExit.add(hook));

        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] words = line.split("\t", -1);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            PrintStream toOut = new PrintStream(out, true, StandardCharsets.UTF_8);
            PrintStream toErr = new PrintStream(err, true, StandardCharsets.UTF_8);
            System.setOut(toOut);
            System.setErr(toErr);
            int code = run(words[0], Arrays.copyOfRange(words, 1, words.length));
            for (Runnable hook : atExit) {
                hook.run();
            }
            atExit.clear();
            toOut.flush();
            toErr.flush();
            answers.println(code + " " + out.size() + " " + err.size());
            out.writeTo(answers);
            err.writeTo(answers);
            answers.flush();
        }
    }

    private static int run(String tool, String[] arguments) {
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) arguments);
            return 0;
        } catch (InvocationTargetException wrapped) {
            Throwable cause = wrapped.getCause();
            if (cause instanceof Exited) {
                return ((Exited) cause).code;
            }
            cause.printStackTrace(System.err);
            return 1;
        } catch (ReflectiveOperationException problem) {
            problem.printStackTrace(System.err);
            return 127;
        }
    }
}
