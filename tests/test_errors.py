import pytest

from realtime_mood.errors import explain_import_error


@pytest.mark.parametrize("library", ["libGL.so.1", "libgthread-2.0.so.0"])
def test_a_system_library_that_opencv_misses_is_named_with_its_package(library: str) -> None:
    text = f"{library}: cannot open shared object file: No such file or directory"
    explained = explain_import_error(ImportError(text, name="cv2"))
    assert explained is not None
    assert f"OpenCV needs the system library {library}, which is missing" in str(explained)
    assert "apt-get install libgl1 libglib2.0-0" in str(explained)
    assert explained.exit_code == 1


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'cv2'", name="cv2"),
        ImportError("libcudart.so.12: cannot open shared object file", name="torch._C"),
        ImportError("cannot import name 'x' from 'y'", name="y"),
    ],
)
def test_other_failed_imports_are_left_alone(error: ImportError) -> None:
    assert explain_import_error(error) is None
