// Java's HttpClient: one client, whole files, the body as a String.
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.regex.*;
import javax.net.ssl.*;

public class Upload {
    static final String BASE = System.getenv("FLINKS_UPLOAD_URL") + "/api/v1/";
    static HttpClient client;

    public static void main(String[] paths) throws Exception {
        client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls()).build();
        String login = System.getenv("FLINKS_CLIENT_ID") + ":" + System.getenv("FLINKS_CLIENT_SECRET");
        String basic = "Basic " + Base64.getEncoder().encodeToString(login.getBytes());
        String form = "grant_type=client_credentials&scope=ocr.write";
        String token = "Bearer " + value("access_token", post("token", basic, "application/x-www-form-urlencoded", form));
        String session = "", id = "";
        for (String path : paths) {
            String content = Base64.getEncoder().encodeToString(Files.readAllBytes(Path.of(path)));
            String name = Path.of(path).getFileName().toString();
            String body = "{" + session + "\"Files\":[{\"FileName\":\"" + name + "\",\"Content\":\"" + content + "\"}]}";
            id = value("AggregationId", post("upload", token, "application/json", body));
            session = "\"AggregationId\":\"" + id + "\",";
        }
        post("upload/complete", token, "application/json", "{\"AggregationId\":\"" + id + "\"}");
    }

    static String post(String path, String authorization, String type, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(BASE + path))
            .header("Authorization", authorization).header("Content-Type", type)
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new Exception(answer.body());
        return answer.body();
    }

    static String value(String key, String json) {
        Matcher found = Pattern.compile("\"" + key + "\": *\"([^\"]*)\"").matcher(json);
        found.find();
        return found.group(1);
    }

    static java.security.cert.Certificate certificate(String variable) throws Exception {
        byte[] pem = Files.readAllBytes(Path.of(System.getenv(variable)));
        return CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(pem));
    }

    static SSLContext tls() throws Exception {
        String pem = Files.readString(Path.of(System.getenv("FLINKS_KEY"))).replaceAll("-----[^-]*-----|\\s", "");
        PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setCertificateEntry("ca", certificate("FLINKS_CA"));
        store.setKeyEntry("client", key, new char[0], new java.security.cert.Certificate[] {certificate("FLINKS_CERT")});
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
